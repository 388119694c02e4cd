/* Whether a problem and its outputs are sound. */
#ifndef ATTENTION_CHECK_H
#define ATTENTION_CHECK_H

#include "attention.h"

/* Sizes, options, lengths and tables: all but data pointers and outputs. */
attn_status attn_check_options(const attn_problem *problem);

/* Data pointers, and that output and lse (may be null) meet no input, each other or themselves. */
attn_status attn_check_data(const attn_problem *problem, const attn_output *output, const attn_output *lse);

/* The same for the saved results, the output gradient and the gradients of attn_backward. */
attn_status attn_check_gradients(const attn_problem *problem, const attn_input *output, const attn_input *lse,
                                 const attn_input *output_gradient, const attn_gradients *gradients);

/* The same for the dense matrices of attn_weights; scores and weights may be null. */
attn_status attn_check_matrices(const attn_problem *problem, const void *lse, const void *scores, const void *weights);

#endif
