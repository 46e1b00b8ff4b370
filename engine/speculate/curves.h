// Piecewise linear curves live beside the cost model, where the window can evaluate them too.
#pragma once

#include "engine/record/cost_curves.h"
