#ifndef OMAP_H
#define OMAP_H

#include <stddef.h>
#include <stdint.h>

/* A map from keys, which are any bytes, to numbers. Keys are copied. */
struct omap;

typedef uint64_t omap_hash(const void *key, size_t length);

/* A new, empty map, or NULL if memory is short. Without a hash function (NULL) it uses its own. */
struct omap *omap_new(omap_hash *hash);

void omap_free(struct omap *map);

/* Gives a key a value: 1 if the key is new, 0 if it had one, -1 if memory is short; then nothing has changed. */
int omap_put(struct omap *map, const void *key, size_t length, int64_t value);

/* The value of a key: 1, or 0 if it has none; then *value is left alone. */
int omap_get(const struct omap *map, const void *key, size_t length, int64_t *value);

/* Removes a key: 1, or 0 if it was not there. */
int omap_remove(struct omap *map, const void *key, size_t length);

/* How many keys there are. */
size_t omap_size(const struct omap *map);

/* How many slots there are: at most 8, or four times the largest size that the map has had, whichever is more. */
size_t omap_capacity(const struct omap *map);

/*
 * Visits the keys in no particular order: begin with *cursor = 0, go on while it returns 1. Meanwhile the values of keys may be
 * replaced and any keys removed, the one just visited too: every key that is not removed is visited exactly once, and no key after its
 * removal. The pointer to a key is valid until that key is removed.
 */
int omap_next(const struct omap *map, size_t *cursor, const void **key, size_t *length, int64_t *value);

#endif
