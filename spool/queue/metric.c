#include "metric.h"
