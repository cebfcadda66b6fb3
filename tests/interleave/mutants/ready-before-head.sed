# SPDX-License-Identifier: GPL-2.0-or-later
# READY is set before HEAD.
s/evtchn_store(&control->head\[priority\], port);/bool was = evtchn_test_and_set_bit(\&control->ready, priority);\n    &/
s/return !evtchn_test_and_set_bit(&control->ready, priority) &&/return !was \&\&/
