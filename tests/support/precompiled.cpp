// SPDX-License-Identifier: BSL-1.0
// The precompiled headers need a source to be compiled with.
