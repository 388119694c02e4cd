/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA'14). */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct random_source {
  uint64_t state;
} random_source;

static inline uint64_t random_bits(random_source *r) {
  uint64_t z = r->state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/* In [low, high], both ends included. */
static inline int64_t random_int(random_source *r, int64_t low, int64_t high) {
  return low + (int64_t)(random_bits(r) % (uint64_t)(high - low + 1));
}

/* In [low, high). */
static inline double random_double(random_source *r, double low, double high) {
  return low + (high - low) * ((double)(random_bits(r) >> 11) * 0x1p-53);
}

static inline bool random_chance(random_source *r, double probability) {
  return random_double(r, 0, 1) < probability;
}

static inline int64_t random_choice(random_source *r, const int64_t *choices, int count) {
  return choices[random_int(r, 0, count - 1)];
}
#define RANDOM_OF(r, array) random_choice(r, array, (int)(sizeof(array) / sizeof(array)[0]))

#endif
