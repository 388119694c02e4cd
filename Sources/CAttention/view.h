/*
 * A checked problem, read: lengths, offsets, addresses and the range of visible keys. Pure functions of a problem that
 * attn_check has accepted; packed sequences, pages and padding end here, so that drivers see rows and ranges only.
 */
#ifndef ATTENTION_VIEW_H
#define ATTENTION_VIEW_H

#include "attention.h"

/* Scores are kept in base 2. */
#define ATTN_LOG2E 1.4426950408889634074
#define ATTN_LN2 0.69314718055994530942

/* Larger offsets and windows mean the same as this one, since no dimension reaches 2^31. */
#define ATTN_FAR ((int64_t)1 << 40)

static inline int64_t attn_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t attn_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t attn_round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
static inline int64_t attn_clamp_far(int64_t x) { return attn_max(-ATTN_FAR, attn_min(ATTN_FAR, x)); }

static inline int64_t attn_type_bytes(attn_type type) { return type == ATTN_F64 ? 8 : type == ATTN_F32 ? 4 : 2; }
static inline int64_t attn_real_bytes(const attn_problem *p) { return p->type == ATTN_F64 ? 8 : 4; }

/* A number of an array in the compute type, which is `bytes` wide. */
static inline double attn_get_real(const void *numbers, int64_t bytes, int64_t i) {
  return bytes == 8 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}
static inline void attn_set_real(void *numbers, int64_t bytes, int64_t i, double x) {
  if (bytes == 8)
    ((double *)numbers)[i] = x;
  else
    ((float *)numbers)[i] = (float)x;
}

/* One number per head (slopes, sinks), stored in the compute type. */
static inline double attn_head_number(const attn_problem *p, const void *numbers, int64_t head) {
  return attn_get_real(numbers, attn_real_bytes(p), head);
}

/* One sequence of the batch. */
typedef struct attn_sequence {
  int64_t batch;
  int64_t queries;            /* its query rows */
  int64_t keys;               /* its keys, key_lengths applied: what lies behind is invisible */
  int64_t all_keys;           /* its rows of keys and values */
  int64_t query_row, key_row; /* first row in a packed view, else 0 */
  int64_t offset;             /* query i stands at position i + offset */
} attn_sequence;

static inline attn_sequence attn_sequence_of(const attn_problem *p, int64_t batch) {
  attn_sequence s = {.batch = batch, .queries = p->query_length, .keys = p->key_length};
  if (p->query_starts) {
    s.query_row = p->query_starts[batch];
    s.queries = p->query_starts[batch + 1] - s.query_row;
  }
  if (p->key_starts) {
    s.key_row = p->key_starts[batch];
    s.keys = p->key_starts[batch + 1] - s.key_row;
  }
  switch (p->alignment) {
    case ATTN_ALIGN_SQUARE:
    case ATTN_ALIGN_TOP_LEFT: break;
    case ATTN_ALIGN_BOTTOM_RIGHT: s.offset = s.keys - s.queries; break;
    case ATTN_ALIGN_OFFSET: s.offset = attn_clamp_far(p->query_offset); break;
    case ATTN_ALIGN_OFFSETS: s.offset = attn_clamp_far(p->query_offsets[batch]); break;
  }
  s.all_keys = s.keys;
  if (p->key_lengths) s.keys = attn_min(s.keys, p->key_lengths[batch]);
  return s;
}

/* The keys [low, high) that causal, window and lengths leave to query i. Both ends never decrease with i. */
typedef struct attn_range {
  int64_t low, high;
} attn_range;

static inline attn_range attn_visible_range(const attn_problem *p, const attn_sequence *s, int64_t i) {
  int64_t position = i + s->offset;
  attn_range range = {0, s->keys};
  if (p->causal) range.high = attn_min(range.high, position + 1);
  if (p->window_right >= 0) range.high = attn_min(range.high, position + attn_min(p->window_right, ATTN_FAR) + 1);
  if (p->window_left >= 0) range.low = attn_max(range.low, position - attn_min(p->window_left, ATTN_FAR));
  range.high = attn_max(range.high, 0);
  range.low = attn_min(range.low, range.high);
  return range;
}

/* First element of row i, head h of a view that is laid out by queries: the queries themselves, saved results. */
static inline const void *attn_input_row(const attn_problem *p, const attn_input *view, int64_t element_bytes,
                                         const attn_sequence *s, int64_t head, int64_t i) {
  int64_t base = p->query_starts ? 0 : s->batch * view->stride_batch;
  return (const char *)view->data +
         (base + head * view->stride_head + (s->query_row + i) * view->stride_row) * element_bytes;
}

static inline void *attn_output_row(const attn_problem *p, const attn_output *o, int64_t element_bytes,
                                    const attn_sequence *s, int64_t head, int64_t i) {
  int64_t base = p->query_starts ? 0 : s->batch * o->stride_batch;
  return (char *)o->data + (base + head * o->stride_head + (s->query_row + i) * o->stride_row) * element_bytes;
}

/* Row j of the keys or the values of key/value head g. */
static inline const void *attn_key_row(const attn_problem *p, const attn_input *view, const attn_sequence *s, int64_t g,
                                       int64_t j) {
  int64_t base = p->key_starts ? 0 : s->batch * view->stride_batch;
  int64_t row = s->key_row + j;
  if (p->page_table) {
    base = p->page_table[s->batch * p->pages_per_sequence + j / p->page_rows] * view->stride_batch;
    row = j % p->page_rows;
  }
  return (const char *)view->data + (base + g * view->stride_head + row * view->stride_row) * attn_type_bytes(p->type);
}

/* The same of a gradient of keys or values; problems with pages have none. */
static inline void *attn_key_gradient_row(const attn_problem *p, const attn_output *o, const attn_sequence *s,
                                          int64_t g, int64_t j) {
  int64_t base = p->key_starts ? 0 : s->batch * o->stride_batch;
  return (char *)o->data + (base + g * o->stride_head + (s->key_row + j) * o->stride_row) * attn_type_bytes(p->type);
}

static inline const uint8_t *attn_mask_row(const attn_problem *p, const attn_sequence *s, int64_t head, int64_t i) {
  return p->mask.data + s->batch * p->mask.stride_batch + head * p->mask.stride_head + i * p->mask.stride_row;
}

static inline const void *attn_bias_at(const attn_problem *p, const attn_sequence *s, int64_t head, int64_t i,
                                       int64_t j) {
  return (const char *)p->bias.data + (s->batch * p->bias.stride_batch + head * p->bias.stride_head +
                                       i * p->bias.stride_row + j * p->bias.stride_key) *
                                          attn_type_bytes(p->bias.type);
}

/* Whether the pair may attend, by range and mask. */
static inline bool attn_visible(const attn_problem *p, const attn_sequence *s, int64_t head, int64_t i, int64_t j) {
  attn_range range = attn_visible_range(p, s, i);
  if (j < range.low || j >= range.high) return false;
  return !p->mask.data || attn_mask_row(p, s, head, i)[j * p->mask.stride_key];
}

/* Whether the row may attend to any key: decided from range and mask, never from scores. */
static inline bool attn_row_attends(const attn_problem *p, const attn_sequence *s, int64_t head, int64_t i) {
  attn_range range = attn_visible_range(p, s, i);
  if (!p->mask.data) return range.low < range.high;
  const uint8_t *mask = attn_mask_row(p, s, head, i);
  for (int64_t j = range.low; j < range.high; j++)
    if (mask[j * p->mask.stride_key]) return true;
  return false;
}

#endif
