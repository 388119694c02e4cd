/* The table of one instruction set and compute type. Defines attn_kernels_<ATTN_ISA>_f<ATTN_REAL_BITS>. */
#include "exp2-inl.h"
#include "exp2_bits-inl.h"
#include "rows-inl.h"
#include "panels-inl.h"
#include "in_place-inl.h"
#include "products-inl.h"
#include "matmul-inl.h"
#include "scores-inl.h"
#include "softmax-inl.h"
#include "gradients-inl.h"
#include "additive-inl.h"
#include "recurrent-inl.h"
#include "cross_entropy-inl.h"
#include "adam-inl.h"
#include "elementwise-inl.h"

#define TABLE_TEXT_(x) #x
#define TABLE_TEXT(x) TABLE_TEXT_(x)
#define TABLE_NAME_(isa, bits) attn_kernels_##isa##_f##bits
#define TABLE_NAME(isa, bits) TABLE_NAME_(isa, bits)

const attn_kernels TABLE_NAME(ATTN_ISA, ATTN_REAL_BITS) = {
    .isa = TABLE_TEXT(ATTN_ISA),
    .name = TABLE_TEXT(ATTN_ISA) "-f" TABLE_TEXT(ATTN_REAL_BITS),
    .real_bytes = sizeof(real),
    .lanes = VF_LANES,
    .tile_rows = TILE_ROWS,
    .panel_width = PANEL_WIDTH,
    .in_place_rows = IN_PLACE_ROWS,
    .product_rows = PRODUCT_ROWS,
    .product_width = PRODUCT_WIDTH,
    .load_rows = load_rows,
    .pack_keys = pack_keys,
    .pack_values = pack_values,
    .scores = scores,
    .scores_in_place = scores_in_place,
    .additive_scores = additive_scores,
    .additive_gradients = additive_gradients,
    .exp_twice = exp_twice,
    .row_magnitudes = row_magnitudes,
    .column_magnitudes = column_magnitudes,
    .row_sums = row_sums,
    .softcap = softcap,
    .add_bias = add_bias,
    .add_alibi = add_alibi,
    .apply_mask = apply_mask,
    .clip = clip,
    .softmax = softmax,
    .softmax_accurate = softmax_accurate,
    .add_lanes = add_lanes,
    .drop = drop,
    .accumulate = accumulate,
    .accumulate_in_place = accumulate_in_place,
    .rows_finite = rows_finite,
    .product = product,
    .pack_columns = pack_columns,
    .pack_panels = pack_panels,
    .pack_panels_transposed = pack_panels_transposed,
    .store_row = store_row,
    .exp2_row = exp2_row,
    .accumulate_transposed = accumulate_transposed,
    .dot = dot,
    .cap_slopes = cap_slopes,
    .drop_scaled = drop_scaled,
    .score_gradients = score_gradients,
    .weights_and_gradients = weights_and_gradients,
    .multiply = multiply,
    .add_row = add_row,
    .all_finite = all_finite,
    .make_finite = make_finite,
    .lstm_gates = lstm_gates,
    .gru_gates = gru_gates,
    .lstm_gradients = lstm_gradients,
    .gru_gradients = gru_gradients,
    .cross_entropy = cross_entropy,
    .adam = adam,
    .bias_row = bias_row,
    .log_softmax = log_softmax,
    .tanh_gradient = tanh_gradient,
    .drop_seeded = drop_seeded,
};
