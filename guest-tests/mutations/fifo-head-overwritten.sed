# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# Every other event becomes the head of a queue that has one.
# hvm64 fifo
s/^    if (q->tail) {$/    if (q->tail \&\& port % 2) {/
