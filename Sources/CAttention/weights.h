/* Scores and weights as dense arrays. */
#ifndef ATTENTION_WEIGHTS_H
#define ATTENTION_WEIGHTS_H

#include "plan.h"

/* Fills scores and weights (either may be null), contiguous [B, H, Sq, Sk] in the compute type; see attn_weights. */
void attn_weights_run(const attn_problem *problem, const attn_plan *plan, const void *lse, void *scores, void *weights,
                      char *scratch);

#endif
