/* Gradients that are sums over many rows: of the bias, of the sinks, of the additive weight vectors. */
#ifndef ATTENTION_BACKWARD_SUMS_H
#define ATTENTION_BACKWARD_SUMS_H

#include "backward_tile.h"

/* Those that the call asks for, once delta, the log-sum-exp and the rows' shares of dw stand. */
void attn_backward_sums_run(const attn_backward_call *call);

#endif
