/* Recurrent layers: LSTM and GRU, one layer in one direction over packed sequences, forward and backward. */
#ifndef ATTENTION_RECURRENT_H
#define ATTENTION_RECURRENT_H

#include "kernels.h"

typedef enum attn_cell { ATTN_LSTM, ATTN_GRU } attn_cell;

/* Gates of a cell: i, f, g, o or r, z, n. */
static inline int64_t attn_cell_gates(attn_cell cell) { return cell == ATTN_LSTM ? 4 : 3; }

/* Run a call that has been checked; gradients null = forward. Fails for want of a kernel table or of memory only. */
attn_status attn_recurrence_run(attn_cell cell, const attn_recurrence *layer, const attn_recurrence_states *states,
                                const attn_recurrence_gradients *gradients);

#endif
