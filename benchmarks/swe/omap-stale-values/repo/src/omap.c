#include "omap.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

enum state { EMPTY, USED, REMOVED };

struct slot {
    enum state state;
    uint64_t hash;
    char *key;
    size_t length;
    int64_t value;
};

struct omap {
    omap_hash *hash;
    struct slot *slots;
    size_t capacity; /* a power of two */
    size_t size;     /* slots that are USED */
};

enum { LEAST_CAPACITY = 8 };

struct omap *omap_new(omap_hash *hash)
{
    struct omap *map = calloc(1, sizeof *map);

    if (map == NULL)
        return NULL;
    map->hash = hash != NULL ? hash : hash_bytes;
    map->capacity = LEAST_CAPACITY;
    map->slots = calloc(map->capacity, sizeof *map->slots);
    if (map->slots == NULL) {
        free(map);
        return NULL;
    }
    return map;
}

void omap_free(struct omap *map)
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].state == USED)
            free(map->slots[i].key);
    free(map->slots);
    free(map);
}

static int holds(const struct slot *slot, uint64_t hash, const void *key, size_t length)
{
    return slot->state == USED && slot->hash == hash && slot->length == length
        && (length == 0 || memcmp(slot->key, key, length) == 0);
}

/* The slot of a key, or NULL. */
static struct slot *find(const struct omap *map, uint64_t hash, const void *key, size_t length)
{
    size_t i = hash & (map->capacity - 1);

    while (map->slots[i].state != EMPTY) {
        if (holds(&map->slots[i], hash, key, length))
            return &map->slots[i];
        i = (i + 1) & (map->capacity - 1);
    }
    return NULL;
}

/* Moves all entries to a table of another capacity: 0, or -1 if memory is short. */
static int move_to(struct omap *map, size_t capacity)
{
    struct slot *slots = calloc(capacity, sizeof *slots);

    if (slots == NULL)
        return -1;
    for (size_t from = 0; from < map->capacity; from++) {
        if (map->slots[from].state != USED)
            continue;
        size_t to = map->slots[from].hash & (capacity - 1);
        while (slots[to].state == USED)
            to = (to + 1) & (capacity - 1);
        slots[to] = map->slots[from];
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return 0;
}

int omap_put(struct omap *map, const void *key, size_t length, int64_t value)
{
    if (4 * (map->size + 1) > 3 * map->capacity && move_to(map, 2 * map->capacity) != 0)
        return -1;

    uint64_t hash = map->hash(key, length);
    size_t i = hash & (map->capacity - 1);

    while (map->slots[i].state == USED) {
        if (holds(&map->slots[i], hash, key, length)) {
            map->slots[i].value = value;
            return 0;
        }
        i = (i + 1) & (map->capacity - 1);
    }

    char *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL)
        return -1;
    if (length > 0)
        memcpy(copy, key, length);
    map->slots[i] = (struct slot){ .state = USED, .hash = hash, .key = copy, .length = length, .value = value };
    map->size++;
    return 1;
}

int omap_get(const struct omap *map, const void *key, size_t length, int64_t *value)
{
    const struct slot *slot = find(map, map->hash(key, length), key, length);

    if (slot == NULL)
        return 0;
    *value = slot->value;
    return 1;
}

int omap_remove(struct omap *map, const void *key, size_t length)
{
    struct slot *slot = find(map, map->hash(key, length), key, length);

    if (slot == NULL)
        return 0;
    free(slot->key);
    slot->key = NULL;
    slot->state = REMOVED;
    map->size--;
    return 1;
}

size_t omap_size(const struct omap *map)
{
    return map->size;
}

size_t omap_capacity(const struct omap *map)
{
    return map->capacity;
}

int omap_next(const struct omap *map, size_t *cursor, const void **key, size_t *length, int64_t *value)
{
    while (*cursor < map->capacity) {
        const struct slot *slot = &map->slots[(*cursor)++];
        if (slot->state == USED) {
            *key = slot->key;
            *length = slot->length;
            *value = slot->value;
            return 1;
        }
    }
    return 0;
}
