/*
 * Which weights dropout removes: word j mod 4 of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers:
 * As Easy as 1, 2, 3, SC'11) at counter (j / 4, i, h, b) under the seed as key. A pair's fate depends on nothing but
 * its indices, so no tiling and no thread count changes it.
 */
#ifndef ATTENTION_DROPOUT_H
#define ATTENTION_DROPOUT_H

#include <math.h>
#include <stdint.h>

#include "attention.h"

static inline void attn_philox(uint32_t counter[4], uint64_t key) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t a = (uint64_t)counter[0] * 0xD2511F53u, b = (uint64_t)counter[2] * 0xCD9E8D57u;
    uint32_t next[4] = {(uint32_t)(b >> 32) ^ counter[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ counter[3] ^ k1,
                        (uint32_t)a};
    for (int i = 0; i < 4; i++) counter[i] = next[i];
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

/* A word below this is dropped. */
static inline uint64_t attn_dropout_threshold(double probability) {
  return (uint64_t)llround(probability * 4294967296.0);
}

/* Sets keep[0..n) for keys first .. first + n of pair (b, h, i); first and n are multiples of 4. */
static inline void attn_dropout_keep(uint8_t *keep, uint64_t seed, uint64_t threshold, int64_t b, int64_t h, int64_t i,
                                     int64_t first, int64_t n) {
  for (int64_t j = 0; j < n; j += 4) {
    uint32_t words[4] = {(uint32_t)((first + j) / 4), (uint32_t)i, (uint32_t)h, (uint32_t)b};
    attn_philox(words, seed);
    for (int w = 0; w < 4; w++) keep[j + w] = words[w] >= threshold;
  }
}

#endif
