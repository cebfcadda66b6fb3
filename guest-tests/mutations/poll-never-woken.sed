# SPDX-License-Identifier: GPL-2.0-or-later
# poll.c
# SCHEDOP_poll sleeps through its event.
# hvm64 2l
s/unregister(d, vcpu)) {/false) {/
