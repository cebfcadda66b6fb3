# SPDX-License-Identifier: GPL-2.0-or-later
# poll.c
# SCHEDOP_poll does not see an event that is there already.
# hvm64 2l
s/^        if (rc) {$/        if (rc < 0) {/
