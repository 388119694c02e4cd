#include "tile.h"

#include <string.h>

#include "scratch.h"

/* Adds `count` elements of `bytes` to the layout; returns their offset, or -1 once anything overflowed. */
static int64_t reserve(int64_t *total, int64_t count, int64_t bytes) {
  int64_t offset = *total, size;
  if (offset < 0 || __builtin_mul_overflow(count, bytes, &size) ||
      __builtin_add_overflow(size, ATTN_SCRATCH_ALIGNMENT - 1, &size) ||
      __builtin_add_overflow(offset, size / ATTN_SCRATCH_ALIGNMENT * ATTN_SCRATCH_ALIGNMENT, total))
    return *total = -1;
  return offset;
}

typedef struct tile_offsets {
  int64_t queries, output, extra, maximum, sum, scores, key_panels, value_panels, key_rows, value_rows, keep;
  int64_t exp_queries, query_sizes, exp_keys, key_sizes, additive, additive_sums, additive_sizes, total;
} tile_offsets;

static tile_offsets layout(const attn_problem *p, const attn_plan *plan) {
  /* Drivers load blocks of rows from anywhere, so a tile holds one even where a work item has fewer. */
  int64_t rows = attn_max(plan->item_rows, plan->block_rows), bytes = attn_real_bytes(p);
  int64_t keys = plan->block_keys, total = 0;
  int64_t query_bytes = plan->query_stride * bytes, output_bytes = plan->output_stride * bytes;
  tile_offsets o;
  o.queries = reserve(&total, rows, query_bytes);
  o.output = reserve(&total, rows, output_bytes);
  o.extra = reserve(&total, rows, output_bytes);
  o.maximum = reserve(&total, rows, bytes);
  o.sum = reserve(&total, rows, plan->kernels->lanes * bytes);
  o.scores = reserve(&total, plan->block_rows * plan->score_stride, bytes);
  o.key_panels = reserve(&total, keys, plan->query_width * bytes);
  o.value_panels = reserve(&total, keys, plan->output_width * bytes);
  o.key_rows = reserve(&total, keys, sizeof(void *));
  o.value_rows = reserve(&total, keys, sizeof(void *));
  o.keep = reserve(&total, keys, 1);
  int64_t used = p->additive ? 1 : 0;
  o.exp_queries = reserve(&total, used * rows, query_bytes);
  o.query_sizes = reserve(&total, used * rows, bytes);
  o.exp_keys = reserve(&total, used * keys, plan->query_width * bytes);
  o.key_sizes = reserve(&total, used * keys, bytes);
  o.additive = reserve(&total, used * plan->group, p->head_dim * bytes);
  o.additive_sums = reserve(&total, used * plan->group, bytes);
  o.additive_sizes = reserve(&total, used * plan->group, bytes);
  o.total = total;
  return o;
}

bool attn_tile_scratch_bytes(const attn_problem *p, const attn_plan *plan, int64_t *bytes) {
  *bytes = layout(p, plan).total;
  int64_t all;
  return *bytes >= 0 && !__builtin_mul_overflow(*bytes, (int64_t)plan->threads, &all);
}

attn_tiles attn_tiles_at(const attn_problem *p, const attn_plan *plan, char *memory) {
  tile_offsets o = layout(p, plan);
  return (attn_tiles){.queries = memory + o.queries,
                      .output = memory + o.output,
                      .extra = memory + o.extra,
                      .maximum = memory + o.maximum,
                      .sum = memory + o.sum,
                      .scores = memory + o.scores,
                      .key_panels = memory + o.key_panels,
                      .value_panels = memory + o.value_panels,
                      .exp_queries = memory + o.exp_queries,
                      .query_sizes = memory + o.query_sizes,
                      .exp_keys = memory + o.exp_keys,
                      .key_sizes = memory + o.key_sizes,
                      .additive = memory + o.additive,
                      .additive_sums = memory + o.additive_sums,
                      .additive_sizes = memory + o.additive_sizes,
                      .key_rows = (const void **)(void *)(memory + o.key_rows),
                      .value_rows = (const void **)(void *)(memory + o.value_rows),
                      .keep = (uint8_t *)memory + o.keep};
}

/* The scale as the scores want it: in base-2 units, or relative to the cap, which brings the units itself. */
static double folded_scale(const attn_problem *p) {
  return p->softcap > 0 ? p->scale / p->softcap : p->scale * ATTN_LOG2E;
}

void attn_load_view(const attn_problem *p, const attn_plan *plan, const attn_item *item, const attn_input *view,
                    int64_t row, int64_t rows, char *dst, int64_t stride, int64_t n, double factor) {
  /* Rows of a head follow each other `heads` rows apart. */
  int64_t bytes = attn_real_bytes(p), heads = attn_min(item->heads, rows);
  for (int64_t r = 0; r < heads; r++) {
    const void *src = attn_input_row(p, view, attn_type_bytes(p->type), &item->sequence, attn_item_head(item, row + r),
                                     attn_item_position(item, row + r));
    plan->kernels->load_rows(dst + r * stride * bytes, item->heads * stride, stride, src, view->stride_row, p->type,
                             (rows - r + item->heads - 1) / item->heads, n, factor);
  }
}

void attn_load_queries(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                       int64_t row, int64_t rows) {
  const attn_kernels *k = plan->kernels;
  int64_t bytes = attn_real_bytes(p);
  attn_load_view(p, plan, item, &p->query, row, rows, tiles->queries, plan->query_stride, p->head_dim,
                 p->additive ? 1 : folded_scale(p));
  if (!p->additive) return;
  k->exp_twice(tiles->exp_queries, tiles->queries, rows * plan->query_stride);
  k->row_magnitudes(tiles->query_sizes, tiles->queries, plan->query_stride, rows, plan->query_stride);
  attn_type real = bytes == 8 ? ATTN_F64 : ATTN_F32;
  for (int64_t h = 0; h < item->heads; h++)
    k->load_rows(tiles->additive + h * p->head_dim * bytes, 0, p->head_dim,
                 (const char *)p->additive + (item->first_head + h) * p->additive_stride_head * bytes, 0, real, 1,
                 p->head_dim, folded_scale(p));
  k->row_sums(tiles->additive_sums, tiles->additive_sizes, tiles->additive, item->heads, p->head_dim);
}

void attn_start_ahead(const attn_plan *plan, const attn_item *item, attn_tiles *tiles, int64_t first_key, int64_t end) {
  int64_t blocks = (item->rows + plan->block_rows - 1) / plan->block_rows;
  int64_t shares = ATTN_FETCHES_A_BLOCK * blocks + 2 * plan->block_keys / plan->kernels->panel_width;
  int64_t count = attn_max(0, attn_min(plan->block_keys, end - first_key));
  tiles->ahead = (attn_ahead){first_key, first_key + count, (count + shares - 1) / shares};
}

/* A function that only fetches has no effect, says GCC, and leaves out calls of it: it must be part of its callers. */
#define FETCHING static inline __attribute__((always_inline))

FETCHING void fetch_row(const char *row, int64_t bytes) {
  const char *line = row - (uintptr_t)row % ATTN_LINE_BYTES; /* a row need not start where a line does */
  for (; line < row + bytes; line += ATTN_LINE_BYTES) __builtin_prefetch(line, 0, 2);
}

/* The smaller the shares the better: a processor drops what it is asked for while some dozens of lines are under
 * way. */
void attn_fetch_ahead(const attn_problem *p, const attn_item *item, attn_tiles *tiles) {
  attn_ahead *ahead = &tiles->ahead;
  int64_t bytes = attn_type_bytes(p->type), end = attn_min(ahead->end, ahead->key + ahead->share);
  for (; ahead->key < end; ahead->key++) {
    fetch_row(attn_key_row(p, &p->key, &item->sequence, item->kv_head, ahead->key), p->head_dim * bytes);
    fetch_row(attn_key_row(p, &p->value, &item->sequence, item->kv_head, ahead->key), p->value_dim * bytes);
  }
}

void attn_list_rows(const attn_problem *p, const attn_item *item, const attn_input *view, int64_t first_row,
                    int64_t count, const void **rows) {
  for (int64_t j = 0; j < count; j++) rows[j] = attn_key_row(p, view, &item->sequence, item->kv_head, first_row + j);
}

void attn_load_keys(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                    int64_t first_key, int64_t count) {
  attn_list_rows(p, item, &p->key, first_key, count, tiles->key_rows);
  if (tiles->in_place) return;
  const attn_kernels *k = plan->kernels;
  int64_t width = k->panel_width, panel_bytes = width * p->head_dim * attn_real_bytes(p);
  for (int64_t j = 0; j < count; j += width) {
    attn_fetch_ahead(p, item, tiles);
    k->pack_keys(tiles->key_panels + j / width * panel_bytes, tiles->key_rows + j, p->type, attn_min(width, count - j),
                 p->head_dim);
  }
  if (!p->additive) return;
  int64_t slices = (count + width - 1) / width;
  k->exp_twice(tiles->exp_keys, tiles->key_panels, slices * p->head_dim * width);
  k->column_magnitudes(tiles->key_sizes, tiles->key_panels, p->head_dim, slices);
}

bool attn_load_values(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                      int64_t first_key, int64_t count) {
  attn_list_rows(p, item, &p->value, first_key, count, tiles->value_rows);
  const attn_kernels *k = plan->kernels;
  int64_t width = k->panel_width, row_bytes = width * attn_real_bytes(p);
  tiles->values_in_place = tiles->in_place && k->rows_finite(tiles->value_rows, p->type, count, p->value_dim);
  if (tiles->values_in_place) return true;
  bool finite = true;
  for (int64_t j = 0; j < count; j += width) {
    attn_fetch_ahead(p, item, tiles);
    finite &= k->pack_values(tiles->value_panels + j * row_bytes, tiles->value_rows + j, p->type,
                             attn_min(width, count - j), plan->block_keys, p->value_dim);
  }
  return finite;
}

attn_additive attn_additive_operands(const attn_problem *p, const attn_plan *plan, const attn_item *item,
                                     const attn_tiles *tiles, int64_t at, int64_t row) {
  int64_t bytes = attn_real_bytes(p), offset = at * plan->query_stride * bytes;
  return (attn_additive){.dim = p->head_dim,
                         .query_stride = plan->query_stride,
                         .queries = tiles->queries + offset,
                         .exp_queries = tiles->exp_queries + offset,
                         .query_sizes = tiles->query_sizes + at * bytes,
                         .weights = tiles->additive,
                         .weight_sums = tiles->additive_sums,
                         .weight_sizes = tiles->additive_sizes,
                         .weight_rows = item->heads,
                         .first_row = row,
                         .keys = tiles->key_panels,
                         .exp_keys = tiles->exp_keys,
                         .key_sizes = tiles->key_sizes};
}

/* Columns [key, key + count) of a row's bias and mask, which come from memory by rows that lie far apart: processors do
 * not foresee them. Fetched for the row a block later, while this one's are added: at S = 2048, D = 64 a bias of each
 * head 8 to 11 % less, one for all 7 %, a mask 0 to 3 %; at S = 512, where they stay in the caches, 1.5 to 2.5 % more.
 * Four rows ahead two thirds of the gain (Zen 5). */
FETCHING void fetch_added(const attn_problem *p, const attn_item *item, int64_t row, int64_t key, int64_t count) {
  if (row >= item->rows) return;
  int64_t i = attn_item_position(item, row), head = attn_item_head(item, row);
  if (p->bias.data && p->bias.stride_key == 1)
    fetch_row(attn_bias_at(p, &item->sequence, head, i, key), count * attn_type_bytes(p->bias.type));
  if (p->mask.data && p->mask.stride_key == 1)
    fetch_row((const char *)attn_mask_row(p, &item->sequence, head, i) + key, count);
}

void attn_final_scores(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                       int64_t at, int64_t row, int64_t rows, int64_t first_key, const attn_columns *columns) {
  const attn_kernels *k = plan->kernels;
  int64_t bytes = attn_real_bytes(p), stride = plan->score_stride;
  int64_t start = columns->first_slice * k->panel_width, n = columns->last_slice * k->panel_width - start;
  int64_t valid = columns->high - start, key = first_key + start;
  const char *queries = tiles->queries + at * plan->query_stride * bytes;
  if (p->additive) {
    attn_additive operands = attn_additive_operands(p, plan, item, tiles, at, row);
    k->additive_scores(tiles->scores, stride, &operands, rows, columns->first_slice, columns->last_slice);
  } else if (tiles->in_place) {
    k->scores_in_place(tiles->scores + start * bytes, stride, queries, plan->query_stride, p->head_dim,
                       tiles->key_rows + start, p->type, columns->high - start, rows);
  } else {
    k->scores(tiles->scores, stride, queries, plan->query_stride, p->head_dim, tiles->key_panels, rows,
              columns->first_slice, columns->high);
  }
  /* Columns from columns->high on may hold anything, but in tiles that are full there are none: clip comes last. */
  if (columns->full && !(p->softcap > 0) && !p->bias.data && !p->alibi_slopes && !p->mask.data) return;

  for (int64_t r = 0; r < rows; r++) {
    int64_t i = attn_item_position(item, row + r), head = attn_item_head(item, row + r);
    char *s = tiles->scores + (r * stride + start) * bytes;
    fetch_added(p, item, row + r + plan->block_rows, key, valid);
    if (p->softcap > 0) {
      k->softcap(s, n, p->softcap * ATTN_LOG2E);
      if (tiles->cap_slopes)
        k->cap_slopes(tiles->cap_slopes + (r * stride + start) * bytes, s, n, 1 / (p->softcap * ATTN_LOG2E));
    }
    if (p->bias.data)
      k->add_bias(s, attn_bias_at(p, &item->sequence, head, i, key), p->bias.type, p->bias.stride_key, valid,
                  ATTN_LOG2E);
    if (p->alibi_slopes)
      k->add_alibi(s, n, attn_head_number(p, p->alibi_slopes, head) * ATTN_LOG2E, i + item->sequence.offset - key);
    if (p->mask.data)
      k->apply_mask(s, attn_mask_row(p, &item->sequence, head, i) + key * p->mask.stride_key, p->mask.stride_key,
                    valid);
    if (!columns->full) {
      attn_range range = attn_visible_range(p, &item->sequence, i);
      k->clip(s, n, range.low - key, range.high - key);
    }
  }
}
