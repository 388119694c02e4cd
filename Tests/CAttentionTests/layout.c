#include "layout.h"

#include <stdlib.h>
#include <string.h>

#include "number.h"

#define PATTERN 0xA5

layout layout_bhsd(int64_t batch, int64_t heads, int64_t rows, int64_t dim) {
  return (layout){batch, heads, rows, dim, heads * rows * dim, rows * dim, dim, 0, batch * heads * rows * dim};
}

layout layout_bshd(int64_t batch, int64_t heads, int64_t rows, int64_t dim) {
  return (layout){batch, heads, rows, dim, rows * heads * dim, dim, heads * dim, 0, batch * heads * rows * dim};
}

layout layout_random(random_source *r, int64_t batch, int64_t heads, int64_t rows, int64_t dim, int64_t guard) {
  layout l = {.batch = batch, .heads = heads, .rows = rows, .dim = dim, .origin = guard};
  const int64_t sizes[3] = {batch, heads, rows};
  int64_t *strides[3] = {&l.stride_batch, &l.stride_head, &l.stride_row};
  int order[3] = {0, 1, 2};
  for (int i = 2; i > 0; i--) {
    int j = (int)random_int(r, 0, i), swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
  int64_t span = dim;
  for (int i = 0; i < 3; i++) {
    int axis = order[i];
    int64_t stride = span + (random_chance(r, 0.3) ? random_int(r, 1, 5) : 0);
    int64_t reach = sizes[axis] > 0 ? (sizes[axis] - 1) * stride : 0;
    span = reach + span;
    *strides[axis] = stride;
    if (random_chance(r, 0.15)) {
      *strides[axis] = -stride;
      l.origin += reach;
    }
  }
  l.elements = guard + span + guard;
  return l;
}

int64_t layout_at(const layout *l, int64_t b, int64_t h, int64_t s, int64_t d) {
  return l->origin + b * l->stride_batch + h * l->stride_head + s * l->stride_row + d;
}

static size_t buffer_bytes(const layout *l, attn_type type) { return (size_t)(l->elements * number_bytes(type)); }

void *layout_store(const layout *l, attn_type type, const double *dense) {
  size_t bytes = buffer_bytes(l, type);
  void *buffer = malloc(bytes ? bytes : 1);
  memset(buffer, 0xFF, bytes); /* NaN in every type */
  for (int64_t b = 0; b < l->batch; b++)
    for (int64_t h = 0; h < l->heads; h++)
      for (int64_t s = 0; s < l->rows; s++)
        for (int64_t d = 0; d < l->dim; d++) number_set(type, buffer, layout_at(l, b, h, s, d), *dense++);
  return buffer;
}

attn_input layout_input(const layout *l, attn_type type, const void *buffer) {
  return (attn_input){(const char *)buffer + l->origin * number_bytes(type), l->stride_batch, l->stride_head,
                      l->stride_row};
}

void *layout_blank(const layout *l, attn_type type) {
  size_t bytes = buffer_bytes(l, type);
  void *buffer = malloc(bytes ? bytes : 1);
  memset(buffer, PATTERN, bytes);
  return buffer;
}

attn_output layout_output(const layout *l, attn_type type, void *buffer) {
  return (attn_output){(char *)buffer + l->origin * number_bytes(type), l->stride_batch, l->stride_head,
                       l->stride_row};
}

void layout_load(const layout *l, attn_type type, const void *buffer, double *dense) {
  for (int64_t b = 0; b < l->batch; b++)
    for (int64_t h = 0; h < l->heads; h++)
      for (int64_t s = 0; s < l->rows; s++)
        for (int64_t d = 0; d < l->dim; d++) *dense++ = number_get(type, buffer, layout_at(l, b, h, s, d));
}

bool layout_untouched(const layout *l, attn_type type, const void *buffer, bool whole) {
  int64_t bytes = number_bytes(type);
  size_t total = buffer_bytes(l, type);
  uint8_t *copy = malloc(total ? total : 1);
  memcpy(copy, buffer, total);
  for (int64_t b = 0; !whole && b < l->batch; b++)
    for (int64_t h = 0; h < l->heads; h++)
      for (int64_t s = 0; s < l->rows; s++)
        memset(copy + layout_at(l, b, h, s, 0) * bytes, PATTERN, (size_t)(l->dim * bytes));
  bool untouched = true;
  for (size_t i = 0; i < total; i++) untouched = untouched && copy[i] == PATTERN;
  free(copy);
  return untouched;
}
