/* Prints one line for each check; exit status 1 if one failed. */
#include "omap.h"

#include <stdio.h>
#include <string.h>

static int failed;

static void check(int condition, const char *what)
{
    printf("%s - %s\n", condition ? "ok" : "not ok", what);
    failed |= !condition;
}

static int put(struct omap *map, const char *key, int64_t value)
{
    return omap_put(map, key, strlen(key), value);
}

static int64_t get(struct omap *map, const char *key)
{
    int64_t value = -1;
    omap_get(map, key, strlen(key), &value);
    return value;
}

int main(void)
{
    struct omap *map = omap_new(NULL);
    char name[16];

    check(map != NULL && omap_size(map) == 0, "a new map is empty");
    check(put(map, "one", 1) == 1 && get(map, "one") == 1, "a value can be put and got");
    check(put(map, "one", 11) == 0 && get(map, "one") == 11 && omap_size(map) == 1, "and replaced");
    check(get(map, "two") == -1, "a key that is not there");
    check(omap_remove(map, "one", 3) == 1 && get(map, "one") == -1 && omap_size(map) == 0, "a key can be removed");
    check(omap_remove(map, "one", 3) == 0, "but only once");
    check(put(map, "", 5) == 1 && get(map, "") == 5, "a key without bytes");
    check(omap_put(map, "a\0b", 3, 6) == 1 && get(map, "a") == -1, "a key with all bytes");

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "key %d", i);
        put(map, name, i);
    }
    check(omap_size(map) == 1002 && get(map, "key 777") == 777, "a thousand keys");
    check(omap_capacity(map) <= 4 * omap_size(map), "the capacity is bounded");

    const void *key;
    size_t length, cursor = 0, visited = 0;
    int64_t value, sum = 0;
    while (omap_next(map, &cursor, &key, &length, &value)) {
        sum += value;
        visited++;
        if (value % 2 == 1)
            omap_remove(map, key, length);
    }
    check(visited == 1002 && sum == 999 * 1000 / 2 + 11, "all are visited, while some are removed");
    check(omap_size(map) == 501 && get(map, "key 776") == 776 && get(map, "key 777") == -1, "which are gone then");
    omap_free(map);
    return failed;
}
