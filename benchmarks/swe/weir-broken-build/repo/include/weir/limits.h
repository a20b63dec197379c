#ifndef WEIR_LIMITS_H
#define WEIR_LIMITS_H

/* Longest word of the input, in characters. */
#define WEIR_WORD_MAX 63

/* Digits after the point in the output. */
#define WEIR_DIGITS 3

#endif
