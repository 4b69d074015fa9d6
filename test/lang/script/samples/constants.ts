/** Owns constants that the sample probes import, as users keep theirs in files of their own. */
export const most: number = 64;
export const label = "large" as string;
