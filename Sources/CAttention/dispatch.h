/* Choosing a table of tile functions for this machine. */
#ifndef ATTENTION_DISPATCH_H
#define ATTENTION_DISPATCH_H

#include "kernels.h"

/* The table for a compute type by name of instruction set; null name = ATTENTION_ISA, else the best available.
 * On failure returns null and sets the error message. */
const attn_kernels *attn_kernels_for(attn_type type, const char *isa);

#endif
