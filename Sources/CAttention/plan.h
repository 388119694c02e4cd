/* From a checked problem to tile sizes, work items and scratch bytes. Pure: reads shapes and options, not data. */
#ifndef ATTENTION_PLAN_H
#define ATTENTION_PLAN_H

#include "kernels.h"
#include "view.h"

/* Rows of a score tile: a multiple of every register tile's height (4, 6, 8, 12). */
#define ATTN_BLOCK_ROWS 48

typedef struct attn_plan {
  const attn_kernels *kernels;
  int64_t group;          /* query heads per key/value head, H / G */
  int64_t block_rows;     /* rows of a score tile */
  int64_t block_keys;     /* keys of a score tile */
  int64_t item_positions; /* query positions of a work item; its rows are these for each head of the group */
  int64_t item_rows;      /* item_positions * group */
  int64_t position_blocks;
  int64_t items;
  int threads;

  int64_t query_width, output_width;                 /* D and Dv in whole panels */
  int64_t query_stride, score_stride, output_stride; /* of rows in scratch, at least their width */
  int64_t thread_bytes;                              /* scratch of one thread */
} attn_plan;

/* Fails with ATTN_ERROR_ISA, or ATTN_ERROR_OVERFLOW when the tiles would not fit the address space. */
attn_status attn_plan_make(const attn_problem *problem, attn_plan *plan);

/* The threads asked for, or as many as the work is worth. */
int64_t attn_threads_for(const attn_problem *problem);

/* One work item: `positions` query positions of `heads` query heads that share a key/value head, the keys loaded once
 * for all. Row r is position first + r / heads of head first_head + r % heads: neighbouring positions share a tile, so
 * the diagonal of a causal mask crosses few tiles, and a head group fills the tile when there is a single query. */
typedef struct attn_item {
  attn_sequence sequence;
  int64_t kv_head, first_head, heads;
  int64_t first, positions, rows;
} attn_item;

/* Positions [first, first + positions) of the whole group of a key/value head. */
attn_item attn_item_of(const attn_problem *problem, const attn_plan *plan, int64_t batch, int64_t kv_head,
                       int64_t first, int64_t positions);

/* Work item `index` of the plan. */
attn_item attn_item_at(const attn_problem *problem, const attn_plan *plan, int64_t index);

static inline int64_t attn_item_position(const attn_item *item, int64_t row) { return item->first + row / item->heads; }
static inline int64_t attn_item_head(const attn_item *item, int64_t row) {
  return item->first_head + row % item->heads;
}

/* The columns of a tile of `count` keys from `first_key` that a block of rows computes: [low, high) may be visible to
 * some row; slices [first_slice, last_slice) of the panels cover them. Empty = the tile is skipped for these rows; full
 * = every row sees every column of every slice, so nothing needs clipping. */
typedef struct attn_columns {
  int64_t low, high, first_slice, last_slice;
  bool empty, full;
} attn_columns;

attn_columns attn_columns_of(const attn_problem *problem, const attn_plan *plan, const attn_item *item, int64_t row,
                             int64_t rows, int64_t first_key, int64_t count);

/* Whether the first and the last of these rows see different ranges of keys. */
bool attn_columns_differ(const attn_problem *problem, const attn_item *item, int64_t row, int64_t rows);

#endif
