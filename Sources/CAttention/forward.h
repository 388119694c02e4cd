/* Fused attention, forward. */
#ifndef ATTENTION_FORWARD_H
#define ATTENTION_FORWARD_H

#include "plan.h"

/* Runs a checked problem. `scratch` holds plan->threads * plan->thread_bytes, aligned; lse may be null. */
void attn_forward_run(const attn_problem *problem, const attn_plan *plan, const attn_output *output,
                      const attn_output *lse, char *scratch);

#endif
