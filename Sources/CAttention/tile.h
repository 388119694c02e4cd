/*
 * The steps that every driver shares: a thread's scratch tiles, loading a work item's queries and a tile of keys,
 * and the final scores of a block of rows against it.
 */
#ifndef ATTENTION_TILE_H
#define ATTENTION_TILE_H

#include "plan.h"

/* Keys and values of the tile after the one at work, which come into the level-2 cache a share at a time, while that
 * one is packed and its products run. */
typedef struct attn_ahead {
  int64_t key, end, share; /* keys [key, end) are yet to be fetched, `share` of them at a time */
} attn_ahead;

/* Scratch tiles of one thread; item_rows below is block_rows where an item has fewer. All but the pointers to rows hold
 * reals; sizes are in plan.h. */
typedef struct attn_tiles {
  char *queries;      /* [item_rows][query_stride], scaled */
  char *output;       /* [item_rows][output_stride], unnormalised */
  char *extra;        /* the same, contributions of values that are not finite (see exact.h) */
  char *maximum;      /* [item_rows] */
  char *sum;          /* [item_rows][lanes], at the end [item_rows] */
  char *scores;       /* [block_rows][score_stride] */
  char *cap_slopes;   /* [block_rows][score_stride], or null: derivatives of the cap, where a driver wants them */
  char *key_panels;   /* [block_keys / panel_width][D][panel_width] */
  char *value_panels; /* [output_width / panel_width][block_keys][panel_width] */
  char *exp_queries, *query_sizes;      /* additive scores only: e^(2q), and the largest magnitude of each row */
  char *exp_keys, *key_sizes;           /* and the same of the packed keys */
  char *additive;                       /* [heads of the item][D], the weight vectors times scale in base-2 units */
  char *additive_sums, *additive_sizes; /* [heads of the item], sum and largest magnitude of each */
  const void **key_rows, **value_rows;  /* [block_keys] */
  bool in_place, values_in_place;       /* keys, and values, of the tile at work are read through these, not packed */
  uint8_t *keep;                        /* [block_keys], dropout */
  attn_ahead ahead;
} attn_tiles;

/* Bytes of one thread's tiles, a multiple of ATTN_SCRATCH_ALIGNMENT; false on overflow. */
bool attn_tile_scratch_bytes(const attn_problem *problem, const attn_plan *plan, int64_t *bytes);
attn_tiles attn_tiles_at(const attn_problem *problem, const attn_plan *plan, char *memory);

/* n numbers of each of the rows [row, row + rows) of the item, of a view laid out by queries, times factor in the
 * compute type: dst[rows][stride] with zeros behind them. */
void attn_load_view(const attn_problem *problem, const attn_plan *plan, const attn_item *item, const attn_input *view,
                    int64_t row, int64_t rows, char *dst, int64_t stride, int64_t n, double factor);

/* Rows [row, row + rows) of the item into tiles->queries, [rows][query_stride] with zeros behind D, in the compute
 * type, times the scale in base-2 units (or scale / softcap). For additive scores the scale goes to the weight
 * vectors. */
void attn_load_queries(const attn_problem *problem, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                       int64_t row, int64_t rows);

/* Shares that the driver fetches for a block of rows, at least, if the block sees any key of the tile. */
#define ATTN_FETCHES_A_BLOCK 2

/* Starts to fetch keys [first_key, end), at most a tile: they will have come when all rows of the item have been
 * through the tile that is packed next. */
void attn_start_ahead(const attn_plan *plan, const attn_item *item, attn_tiles *tiles, int64_t first_key, int64_t end);

/* Fetches a share. Packing does so before each panel. */
void attn_fetch_ahead(const attn_problem *problem, const attn_item *item, attn_tiles *tiles);

/* Addresses of rows [first_row, first_row + count) of the item's keys or values. */
void attn_list_rows(const attn_problem *problem, const attn_item *item, const attn_input *view, int64_t first_row,
                    int64_t count, const void **rows);

/* Packs keys [first_key, first_key + count), or lists them where they are read in place. */
void attn_load_keys(const attn_problem *problem, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                    int64_t first_key, int64_t count);

/* Packs the values of the same keys; returns whether all were finite. Read in place they are listed alone, unless one
 * is not finite: tiles->values_in_place tells. */
bool attn_load_values(const attn_problem *problem, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                      int64_t first_key, int64_t count);

/* The operands of additive scores for loaded rows from `at` on, which is row `row` of the item. */
attn_additive attn_additive_operands(const attn_problem *problem, const attn_plan *plan, const attn_item *item,
                                     const attn_tiles *tiles, int64_t at, int64_t row);

/* scores[r][columns] = final scores, base 2, of rows [row, row + rows) of the item, which stand in tiles->queries from
 * row `at` on, against the loaded keys: -infinity where masked. Columns outside the slices of `columns` are not
 * written. */
void attn_final_scores(const attn_problem *problem, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                       int64_t at, int64_t row, int64_t rows, int64_t first_key, const attn_columns *columns);

#endif
