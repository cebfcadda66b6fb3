# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# Every other event becomes the head of a queue that has one.
# hvm64 fifo
s/if (tail && tail != port &&/if (tail \&\& tail != port \&\& port % 2 \&\&/
