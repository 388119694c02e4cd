/* Setting the message of a failed call. */
#ifndef ATTENTION_STATUS_H
#define ATTENTION_STATUS_H

#include "attention.h"

/* Keeps the formatted text for attn_error_message on this thread and returns status. */
__attribute__((format(printf, 2, 3))) attn_status attn_fail(attn_status status, const char *format, ...);

#endif
