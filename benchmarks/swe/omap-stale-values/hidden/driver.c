/*
 * Obeys commands from standard input, one a line, and prints an answer to each. Keys are hexadecimal digits behind a letter k.
 * The argument chooses the hash function.
 */
#define _POSIX_C_SOURCE 200809L
#include "omap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t all_the_same(const void *key, size_t length)
{
    (void)key;
    (void)length;
    return 0;
}

static uint64_t few(const void *key, size_t length)
{
    return length == 0 ? 0 : *(const unsigned char *)key % 3;
}

static uint64_t at_the_end(const void *key, size_t length)
{
    return UINT64_MAX - (length == 0 ? 0 : *(const unsigned char *)key % 5);
}

static unsigned char bytes[2][4096];

static size_t unhex(const char *text, int which)
{
    size_t size = strlen(text + 1) / 2;
    for (size_t i = 0; i < size; i++) {
        char digits[3] = { text[1 + 2 * i], text[2 + 2 * i], 0 };
        bytes[which][i] = (unsigned char)strtol(digits, NULL, 16);
    }
    return size;
}

static void print_key(const void *key, size_t length)
{
    printf(" k");
    for (size_t i = 0; i < length; i++)
        printf("%02x", ((const unsigned char *)key)[i]);
}

int main(int argc, char **argv)
{
    omap_hash *hashes[] = { NULL, all_the_same, few, at_the_end };
    struct omap *map = omap_new(hashes[argc > 1 ? atoi(argv[1]) : 0]);
    char command[16], first[8300], second[8300];
    int64_t value = 0;

    if (map == NULL)
        return 3;
    while (scanf("%15s", command) == 1) {
        const void *key;
        size_t length, cursor = 0;
        if (strcmp(command, "put") == 0 && scanf("%8299s %" SCNd64, first, &value) == 2) {
            length = unhex(first, 0);
            printf("%d", omap_put(map, bytes[0], length, value));
        } else if (strcmp(command, "get") == 0 && scanf("%8299s", first) == 1) {
            length = unhex(first, 0);
            value = -12345;
            int found = omap_get(map, bytes[0], length, &value);
            printf("%d %" PRId64, found, value);
        } else if (strcmp(command, "remove") == 0 && scanf("%8299s", first) == 1) {
            length = unhex(first, 0);
            printf("%d", omap_remove(map, bytes[0], length));
        } else if (strcmp(command, "size") == 0) {
            printf("%zu", omap_size(map));
        } else if (strcmp(command, "capacity") == 0) {
            printf("%zu", omap_capacity(map));
        } else if (strcmp(command, "list") == 0) {
            while (omap_next(map, &cursor, &key, &length, &value)) {
                print_key(key, length);
                printf(" %" PRId64, value);
            }
        } else if (strcmp(command, "visit") == 0 && scanf("%8299s %8299s", first, second) == 2) {
            /* Visits all; at the first key removes the second; all others get the negative of their value. */
            size_t at = unhex(first, 0), gone = unhex(second, 1);
            while (omap_next(map, &cursor, &key, &length, &value)) {
                print_key(key, length);
                printf(" %" PRId64, value);
                if (length == at && memcmp(key, bytes[0], at) == 0)
                    omap_remove(map, bytes[1], gone);
                else
                    omap_put(map, key, length, -value);
            }
        } else if (strcmp(command, "thin") == 0 && scanf("%" SCNd64, &value) == 1) {
            /* Visits all; removes those whose value is a multiple of a number. */
            int64_t divisor = value;
            while (omap_next(map, &cursor, &key, &length, &value)) {
                print_key(key, length);
                printf(" %" PRId64, value);
                if (value % divisor == 0)
                    omap_remove(map, key, length);
            }
        } else {
            return 4;
        }
        putchar('\n');
    }
    omap_free(map);
    return 0;
}
