/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters of count.h. */

#include "count.h"

__thread struct bench_steps bench_steps;
