# SPDX-License-Identifier: GPL-2.0-or-later
# Nobody waits for senders that have not seen a vCPU's control block or selector.
/evtchn_quiesce_vcpu(d, v);/d
