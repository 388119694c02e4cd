#include "naive.h"

#include <math.h>
#include <stdlib.h>

/* Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC'11), section 4.3. */
void naive_philox(uint32_t counter[4], const uint32_t key[2]) {
  uint32_t k[2] = {key[0], key[1]};
  for (int round = 0; round < 10; round++) {
    uint64_t left = (uint64_t)0xD2511F53 * counter[0], right = (uint64_t)0xCD9E8D57 * counter[2];
    uint32_t c1 = counter[1], c3 = counter[3];
    counter[0] = (uint32_t)(right >> 32) ^ c1 ^ k[0];
    counter[1] = (uint32_t)right;
    counter[2] = (uint32_t)(left >> 32) ^ c3 ^ k[1];
    counter[3] = (uint32_t)left;
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
}

bool naive_kept(const naive_problem *p, int64_t b, int64_t h, int64_t i, int64_t j) {
  if (p->dropout_probability == 0) return true;
  uint32_t words[4] = {(uint32_t)(j / 4), (uint32_t)i, (uint32_t)h, (uint32_t)b};
  const uint32_t key[2] = {(uint32_t)p->dropout_seed, (uint32_t)(p->dropout_seed >> 32)};
  naive_philox(words, key);
  return !((double)words[j % 4] < round(p->dropout_probability * 4294967296.0));
}

static int64_t queries_of(const naive_problem *p, int64_t b) {
  return p->query_counts ? p->query_counts[b] : p->queries;
}
static int64_t keys_of(const naive_problem *p, int64_t b) { return p->key_counts ? p->key_counts[b] : p->keys; }

static int64_t position(const naive_problem *p, int64_t b, int64_t i) {
  switch (p->alignment) {
    case ATTN_ALIGN_SQUARE:
    case ATTN_ALIGN_TOP_LEFT: return i;
    case ATTN_ALIGN_BOTTOM_RIGHT: return i + keys_of(p, b) - queries_of(p, b);
    case ATTN_ALIGN_OFFSET: return i + p->query_offset;
    case ATTN_ALIGN_OFFSETS: break;
  }
  return i + p->query_offsets[b];
}

bool naive_visible(const naive_problem *p, int64_t b, int64_t h, int64_t i, int64_t j) {
  int64_t at = position(p, b, i);
  if (i >= queries_of(p, b) || j >= keys_of(p, b)) return false;
  if (p->causal && j > at) return false;
  if (p->window_left >= 0 && j < at - p->window_left) return false;
  if (p->window_right >= 0 && j > at + p->window_right) return false;
  if (p->key_lengths && j >= p->key_lengths[b]) return false;
  const int64_t *s = p->mask_strides;
  return !p->mask || p->mask[b * s[0] + h * s[1] + i * s[2] + j * s[3]];
}

double naive_bias(const naive_problem *p, int64_t b, int64_t h, int64_t i, int64_t j) {
  const int64_t *s = p->bias_strides;
  return p->bias ? p->bias[b * s[0] + h * s[1] + i * s[2] + j * s[3]] : 0;
}

double naive_alibi(const naive_problem *p, int64_t b, int64_t h, int64_t i, int64_t j) {
  return p->slopes ? -p->slopes[h] * (double)llabs(position(p, b, i) - j) : 0;
}

#define REAL float
#define NAIVE naive_float
#define NAIVE_GRADIENTS naive_gradients_float
#define PRODUCT product_float
#define ROW row_float
#define ROW_GRADIENTS row_gradients_float
#define ADD_SCALED add_scaled_float
#define ADD_ADDITIVE add_additive_float
#define STORE store_float
#define F(name) name##f
#include "naive-inl.h"

#define REAL double
#define NAIVE naive_double
#define NAIVE_GRADIENTS naive_gradients_double
#define PRODUCT product_double
#define ROW row_double
#define ROW_GRADIENTS row_gradients_double
#define ADD_SCALED add_scaled_double
#define ADD_ADDITIVE add_additive_double
#define STORE store_double
#define F(name) name
#include "naive-inl.h"

#define REAL long double
#define NAIVE naive_long_double
#define NAIVE_GRADIENTS naive_gradients_long_double
#define PRODUCT product_long_double
#define ROW row_long_double
#define ROW_GRADIENTS row_gradients_long_double
#define ADD_SCALED add_scaled_long_double
#define ADD_ADDITIVE add_additive_long_double
#define STORE store_long_double
#define F(name) name##l
#include "naive-inl.h"

double naive_product(const naive_problem *p, int64_t h, const double *q, const double *k) {
  return product_double(p, h, q, k);
}
