#include "exact.h"

#include <math.h>

#include "dropout.h"
#include "half.h"

static double element(const void *row, attn_type type, int64_t d) {
  switch (type) {
    case ATTN_F64: return ((const double *)row)[d];
    case ATTN_F16: return attn_f16_to_f32(((const uint16_t *)row)[d]);
    case ATTN_BF16: return attn_bf16_to_f32(((const uint16_t *)row)[d]);
    case ATTN_F32: break;
  }
  return ((const float *)row)[d];
}

static bool dropped(const attn_problem *p, const attn_sequence *s, int64_t head, int64_t i, int64_t j) {
  if (!(p->dropout_probability > 0)) return false;
  uint8_t keep[4];
  attn_dropout_keep(keep, p->dropout_seed, attn_dropout_threshold(p->dropout_probability), s->batch, head, i, j / 4 * 4,
                    4);
  return !keep[j % 4];
}

void attn_add_special_values(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                             int64_t row, int64_t rows, int64_t first_key, const attn_columns *columns) {
  int64_t bytes = attn_real_bytes(p);
  for (int64_t c = columns->low; c < columns->high; c++)
    for (int64_t d = 0; d < p->value_dim; d++) {
      double value = element(tiles->value_rows[c], p->type, d);
      if (isfinite(value)) continue;
      for (int64_t r = 0; r < rows; r++) {
        int64_t i = attn_item_position(item, row + r), head = attn_item_head(item, row + r);
        if (!attn_visible(p, &item->sequence, head, i, first_key + c)) continue;
        bool zero = attn_get_real(tiles->scores, bytes, r * plan->score_stride + c) == -INFINITY ||
                    dropped(p, &item->sequence, head, i, first_key + c);
        int64_t at = (row + r) * plan->output_stride + d;
        attn_set_real(tiles->extra, bytes, at, attn_get_real(tiles->extra, bytes, at) + (zero ? NAN : value));
      }
    }
}
