# SPDX-License-Identifier: GPL-2.0-or-later
# bind.c
# Who binds to a port gets no event for what came before.
# hvm64 2l
s/^    evtchn_ops(chn->abi)->set_pending(d, new_port, chn);$//
