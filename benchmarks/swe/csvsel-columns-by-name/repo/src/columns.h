#ifndef COLUMNS_H
#define COLUMNS_H

#include <stddef.h>

/* Chosen columns, counted from 0, in the order in which they are printed. */
struct columns {
    size_t *indices;
    size_t count, room;
};

/* Adds a column: 0, or -1 if memory is short. */
int columns_add(struct columns *columns, size_t index);

/* Adds the columns of a text like "3,1,5-7": 0, or -1 if it is not one. */
int columns_parse(struct columns *columns, const char *text);

#endif
