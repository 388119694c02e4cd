/* Running work items on threads. */
#ifndef ATTENTION_PARALLEL_H
#define ATTENTION_PARALLEL_H

#include <stdint.h>

/* Work on item `item` as thread `thread` of the team. */
typedef void attn_body(void *context, int thread, int64_t item);

/* Calls body once for each item in [0, items) on at most `threads` threads, in increasing order of start. */
void attn_parallel(int threads, int64_t items, attn_body *body, void *context);

/* `asked` threads; where that is 0, of those that OpenMP offers as many as the work is worth. */
int attn_threads_worth(int asked, double flops);

#endif
