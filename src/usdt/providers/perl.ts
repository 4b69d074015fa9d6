/** Owns the markers of Perl, built with -Dusedtrace. Source: perldtrace.d and perldtrace(1). */
export const perl = String.raw`
sub__(entry|return) function:text file:text line package:text
phase__change phase:text previous:text
op__entry op:text
(load__entry|load__return|loading__file|loaded__file) file:text
`;
