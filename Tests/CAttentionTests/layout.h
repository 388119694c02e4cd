/* Strided [batch, heads, rows, dim] views over buffers whose every other byte is known. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "attention.h"
#include "random.h"

typedef struct layout {
  int64_t batch, heads, rows, dim;
  int64_t stride_batch, stride_head, stride_row;
  int64_t origin;   /* of element (0, 0, 0, 0) in the buffer */
  int64_t elements; /* of the buffer */
} layout;

layout layout_bhsd(int64_t batch, int64_t heads, int64_t rows, int64_t dim);
layout layout_bshd(int64_t batch, int64_t heads, int64_t rows, int64_t dim);
/* Any order of the axes, gaps after each, some strides negative; `guard` elements before and behind. */
layout layout_random(random_source *r, int64_t batch, int64_t heads, int64_t rows, int64_t dim, int64_t guard);

int64_t layout_at(const layout *l, int64_t b, int64_t h, int64_t s, int64_t d);

/* A buffer for inputs, ending with the last element: gaps are NaN, elements come from dense BHSD numbers. */
void *layout_store(const layout *l, attn_type type, const double *dense);
attn_input layout_input(const layout *l, attn_type type, const void *buffer);

/* A buffer for an output, filled with a pattern. */
void *layout_blank(const layout *l, attn_type type);
attn_output layout_output(const layout *l, attn_type type, void *buffer);
/* The elements as dense BHSD numbers. */
void layout_load(const layout *l, attn_type type, const void *buffer, double *dense);
/* Whether every byte outside the view (with whole: of the buffer) still holds the pattern. */
bool layout_untouched(const layout *l, attn_type type, const void *buffer, bool whole);

#endif
