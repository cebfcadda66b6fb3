# SPDX-License-Identifier: GPL-2.0-or-later
# A port's last queue is read before its queue is locked, and not again.
s/^        unlikely(evtchn_load(&chn->lastq) != lastq)) {/        false) {/
