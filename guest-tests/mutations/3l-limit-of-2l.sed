# SPDX-License-Identifier: GPL-2.0-or-later
# port.c
# A 3-level guest has the ports of a 2-level one.
s/limit = evtchn_3l_limit(d);/limit = word_bits * word_bits;/
