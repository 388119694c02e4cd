#include "status.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[256] = "no error";

attn_status attn_fail(attn_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return status;
}

const char *attn_error_message(void) { return message; }

const char *attn_status_string(attn_status status) {
  switch (status) {
    case ATTN_OK: return "ok";
    case ATTN_ERROR_NULL_POINTER: return "a required pointer is null";
    case ATTN_ERROR_UNINITIALIZED: return "the problem was not made by attn_problem_init of this version";
    case ATTN_ERROR_NEGATIVE_SIZE: return "a size is negative, or zero where at least one is needed";
    case ATTN_ERROR_OVERFLOW: return "a size, stride or extent is too large";
    case ATTN_ERROR_HEAD_GROUPS: return "the query heads are not a multiple of the key/value heads";
    case ATTN_ERROR_TYPE: return "an element type is unknown or unsupported here";
    case ATTN_ERROR_NOT_FINITE: return "scale or softcap is not finite";
    case ATTN_ERROR_SOFTCAP: return "softcap is negative";
    case ATTN_ERROR_DROPOUT: return "the dropout probability is outside [0, 1)";
    case ATTN_ERROR_ALIGNMENT: return "the alignment is unknown or does not fit the lengths";
    case ATTN_ERROR_WINDOW: return "a side of the window is negative";
    case ATTN_ERROR_KEY_LENGTH: return "a key length is outside the keys";
    case ATTN_ERROR_PACKING: return "the starts of packed sequences are inconsistent";
    case ATTN_ERROR_PAGES: return "the page table is inconsistent";
    case ATTN_ERROR_OVERLAP: return "an output overlaps another array or itself";
    case ATTN_ERROR_ISA: return "the instruction set is unknown or not available on this machine";
    case ATTN_ERROR_THREADS: return "the number of threads is negative";
    case ATTN_ERROR_OUT_OF_MEMORY: return "out of memory for scratch space";
    case ATTN_ERROR_SELECTION: return "the rows, heads or number of weights chosen do not fit the shape";
  }
  return "unknown status";
}
