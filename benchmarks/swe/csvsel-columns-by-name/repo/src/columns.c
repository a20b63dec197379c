#include "columns.h"

#include <stdlib.h>

/* Largest column; a larger number is more likely a mistake. */
enum { MOST = 100000 };

int columns_add(struct columns *columns, size_t index)
{
    if (columns->count == columns->room) {
        size_t room = columns->room > 0 ? 2 * columns->room : 16;
        size_t *indices = realloc(columns->indices, room * sizeof *indices);
        if (indices == NULL)
            return -1;
        columns->indices = indices;
        columns->room = room;
    }
    columns->indices[columns->count++] = index;
    return 0;
}

/* Reads a number from 1 to MOST and moves the text behind it; 0 if there is none. */
static size_t number(const char **text)
{
    size_t value = 0;

    while (**text >= '0' && **text <= '9' && value <= MOST)
        value = value * 10 + (size_t)(*(*text)++ - '0');
    return value <= MOST ? value : 0;
}

int columns_parse(struct columns *columns, const char *text)
{
    do {
        size_t first = number(&text), last = first;
        if (*text == '-') {
            text++;
            last = number(&text);
        }
        if (first == 0 || last < first)
            return -1;
        for (size_t column = first; column <= last; column++)
            if (columns_add(columns, column - 1) != 0)
                return -1;
    } while (*text++ == ',');
    return text[-1] == '\0' ? 0 : -1;
}
