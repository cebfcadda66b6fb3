# SPDX-License-Identifier: GPL-2.0-or-later
# Nobody waits for senders that use the old vcpu_info.
/evtchn_quiesce_vcpu(d, v);/d
