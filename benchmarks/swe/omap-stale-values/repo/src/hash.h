#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a with the bits mixed at the end, as the table uses the low ones. */
uint64_t hash_bytes(const void *key, size_t length);

#endif
