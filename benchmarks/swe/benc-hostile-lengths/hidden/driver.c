/*
 * Reads cases from standard input, one a line, as hexadecimal digits; prints for each what the parser said of it. The bytes lie
 * directly before a page that cannot be touched, and then directly behind one, so that reading outside of them ends this process.
 */
#define _DEFAULT_SOURCE
#include "benc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void parse(const char *data, size_t size)
{
    struct ben_item item;
    struct ben ben;
    int status;

    ben_open(&ben, data, size);
    /* No data have more items than bytes, but a parser that goes astray may find some. */
    size_t left = size + 2;
    while ((status = ben_next(&ben, &item)) == BEN_ITEM && left-- > 0) {
        switch (item.kind) {
        case BEN_INT: printf("i%" PRId64 " ", item.number); break;
        case BEN_STR: printf("s%td+%zu ", item.text - data, item.length); break;
        case BEN_LIST: printf("[ "); break;
        case BEN_DICT: printf("{ "); break;
        case BEN_END: printf("] "); break;
        default: printf("? "); break;
        }
    }
    printf("%d", status);
    for (int again = 0; again < 3; again++)
        printf(" %d", ben_next(&ben, &item));
    putchar('\n');
    fflush(stdout);
}

int main(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 64 * page;
    char *area = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *data = area + page;
    char *line = NULL;
    size_t capacity = 0;

    if (area == MAP_FAILED || mprotect(data, room, PROT_READ | PROT_WRITE) != 0)
        return 3;
    while (getline(&line, &capacity, stdin) > 0) {
        size_t size = strspn(line, "0123456789abcdef") / 2;
        char *places[] = { data + room - size, data };
        if (size > room)
            return 4;
        for (int place = 0; place < 2; place++) {
            for (size_t i = 0; i < size; i++) {
                char digits[3] = { line[2 * i], line[2 * i + 1], 0 };
                places[place][i] = (char)strtol(digits, NULL, 16);
            }
            parse(places[place], size);
        }
    }
    free(line);
    return 0;
}
