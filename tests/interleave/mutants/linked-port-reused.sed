# SPDX-License-Identifier: GPL-2.0-or-later
# A closed port is bound again while it is still on a queue.
s/return word && evtchn_test_bit(word, EVTCHN_FIFO_LINKED);/return word \&\& false;/
