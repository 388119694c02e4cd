/* Whether a problem and its outputs are sound. */
#ifndef ATTENTION_CHECK_H
#define ATTENTION_CHECK_H

#include "recurrent.h"

/* Sizes, options, lengths and tables: all but data pointers and outputs. */
attn_status attn_check_options(const attn_problem *problem);

/* Data pointers, and that output and lse (may be null) meet no input, each other or themselves. */
attn_status attn_check_data(const attn_problem *problem, const attn_output *output, const attn_output *lse);

/* The same for the saved results, the output gradient and the gradients of attn_backward. */
attn_status attn_check_gradients(const attn_problem *problem, const attn_input *output, const attn_input *lse,
                                 const attn_input *output_gradient, const attn_gradients *gradients);

/* The same for attn_weights: the choice of rows and heads, and the arrays that are asked for. */
attn_status attn_check_weights(const attn_problem *problem, const void *lse, const attn_weights_request *request);

/* A matrix product; c meets neither a nor b. */
attn_status attn_check_matmul(attn_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                              const void *a, int64_t lda, const void *b, int64_t ldb, const void *c, int64_t ldc,
                              int threads);

/* A recurrent layer forward, or backward when gradients are given. */
attn_status attn_check_recurrence(attn_cell cell, const attn_recurrence *layer, const attn_recurrence_states *states);
attn_status attn_check_recurrence_gradients(attn_cell cell, const attn_recurrence *layer,
                                            const attn_recurrence_states *states,
                                            const attn_recurrence_gradients *gradients);

/* What training takes: the types and threads that all of it shares, and each call's own. */
attn_status attn_check_cross_entropy(const attn_cross_entropy_problem *problem, const attn_cross_entropy_sums *sums);
attn_status attn_check_adam(const attn_adam *adam, const attn_adam_part *parts, int64_t count);
attn_status attn_check_numbers(attn_type type, int64_t count, const void *data, const char *name, int threads);
attn_status attn_check_rows(attn_type type, int64_t rows, int64_t columns, const void *x, int threads);
attn_status attn_check_copy(attn_type type, int64_t rows, int64_t columns, const void *src, int64_t src_stride,
                            const void *dst, int64_t dst_stride, int threads);

#endif
