/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is explored.  Each scenario is small, and between them they meet every
 * pair of operations that can touch the same words at the same time.
 */

#ifndef IL_SCENARIOS_H
#define IL_SCENARIOS_H

#include "world.h"

extern const struct il_scenario il_scenarios_fifo[];
extern const struct il_scenario il_scenarios_binding[];
extern const struct il_scenario il_scenarios_bits[];
extern const struct il_scenario il_scenarios_change[];
extern const struct il_scenario il_scenarios_long[];

#endif /* IL_SCENARIOS_H */
