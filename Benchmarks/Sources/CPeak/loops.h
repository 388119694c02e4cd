/* The loops of this architecture, in a table that a row without a name ends. */
#ifndef PEAK_LOOPS_H
#define PEAK_LOOPS_H

#include "peak.h"

extern const peak_loop peak_loops[];

#endif
