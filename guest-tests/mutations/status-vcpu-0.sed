# SPDX-License-Identifier: GPL-2.0-or-later
# op.c
# EVTCHNOP_status says vCPU 0 for all ports.
# hvm64 2l
s/status->vcpu = info.vcpu;/status->vcpu = 0;/
