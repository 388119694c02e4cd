/*
 * Values that are not finite, added exactly.
 *
 * In the fast product a NaN or infinity in a value would leak through a weight of 0 (0 * NaN), and an infinity would
 * turn into NaN when a later, larger maximum rescales it by a factor that underflows to 0. So pack_values stores such
 * numbers as 0, and here each is added, unscaled, to the `extra` sum of every row that may attend to its key: a weight
 * above 0 leaves infinity and NaN as they are, however small it is. A weight that is 0 by the formula, because the
 * score is -infinity or dropout took it, gives 0 * v = NaN. What is masked adds nothing.
 */
#ifndef ATTENTION_EXACT_H
#define ATTENTION_EXACT_H

#include "tile.h"

/* For rows [row, row + rows) of the item whose final scores stand in tiles->scores. */
void attn_add_special_values(const attn_problem *problem, const attn_plan *plan, const attn_item *item,
                             attn_tiles *tiles, int64_t row, int64_t rows, int64_t first_key,
                             const attn_columns *columns);

#endif
