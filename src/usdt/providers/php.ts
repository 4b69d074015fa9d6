/**
 * Owns the markers of PHP 7 and 8, built with --enable-dtrace. Source: Zend/zend_dtrace.d; but exception__caught hands out the class's
 * zend_string (ce->name in Zend/zend_vm_def.h) as if it were its characters, which lie behind refcount, hash and length.
 */
export const php = String.raw`
request__(startup|shutdown) file:text uri:text method:text
compile__file__(entry|return) file:text resolved:text
execute__(entry|return) file:text line
function__(entry|return) function:text file:text line class:text scope:text
error message:text file:text line
exception__thrown class:text
exception__caught class:text@24
`;
