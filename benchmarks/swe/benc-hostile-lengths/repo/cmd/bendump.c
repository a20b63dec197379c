/* Prints the items of a bencoded file, or of standard input, one a line, indented by depth. */
#include "benc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static char *read_all(FILE *file, size_t *size)
{
    size_t room = 4096;
    char *data = malloc(room);

    *size = 0;
    while (data != NULL) {
        *size += fread(data + *size, 1, room - *size, file);
        if (*size < room)
            break;
        char *more = realloc(data, room *= 2);
        if (more == NULL)
            free(data);
        data = more;
    }
    return data;
}

static void print_text(const char *text, size_t length)
{
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\' || !isprint(c))
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    puts("\"");
}

int main(int argc, char **argv)
{
    static const char *const messages[] = { "", "truncated", "wrong syntax", "integer out of range", "nested too deeply" };
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : stdin;
    struct ben_item item;
    struct ben ben;
    size_t size;
    int status;

    if (file == NULL) {
        perror(argv[1]);
        return 2;
    }
    char *data = read_all(file, &size);
    if (data == NULL) {
        fputs("bendump: out of memory\n", stderr);
        return 2;
    }
    ben_open(&ben, data, size);
    int depth = 0;
    while ((status = ben_next(&ben, &item)) == BEN_ITEM) {
        depth -= item.kind == BEN_END;
        printf("%*s", 2 * depth, "");
        switch (item.kind) {
        case BEN_INT: printf("%" PRId64 "\n", item.number); break;
        case BEN_STR: print_text(item.text, item.length); break;
        case BEN_LIST: puts("["); depth++; break;
        case BEN_DICT: puts("{"); depth++; break;
        case BEN_END: puts("end"); break;
        }
    }
    if (status < 0)
        fprintf(stderr, "bendump: %s at byte %zu\n", messages[-status], ben.at);
    free(data);
    return status < 0;
}
