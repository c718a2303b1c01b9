"""The placer of the TensorFlow white paper: simulates a step and takes the cheapest devices.

Groups of operations are gone through in the order of the step. For each device that a group may
be on, the simulation tells when it would be done there, given where its inputs are; the first of
the cheapest is taken. What is greedy may be wrong in the end: where everything on one device is
faster, as far as nothing is pinned elsewhere, that is taken instead; then what belongs together is
moved as long as the simulated step gets faster, see `improvement`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.core.errors import ResourceExhaustedError
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.copied import is_copied
from workbench.core.plan.placement.choice import first_choice, holds_shared_variable, nowhere
from workbench.core.plan.placement.colocation import Group, colocated, stays_put
from workbench.core.plan.placement.costs import CostModel
from workbench.core.plan.placement.devices import fitting
from workbench.core.plan.placement.improvement import Neighbourhood, improved
from workbench.core.plan.placement.report import PlacedOperation, Placement
from workbench.core.plan.placement.simulation import Clock, simulate


def place_by_cost(
    order: Sequence[Operation],
    devices: Sequence[str],
    default: str,
    costs: CostModel | None = None,
    fed: Iterable[Tensor] = (),
    fetches: Sequence[Tensor] = (),
    held: Mapping[Operation, str] | None = None,
) -> Placement:
    """The cheapest device for each operation, as far as it is not pinned, and why.

    Fed values come from the default device, and fetches go there. `held` has the devices of
    variables, queues and the like that are somewhere already. InvalidArgumentError for an
    operation that is pinned to what no device is; ResourceExhaustedError where variables have no
    room on any device that they may be on.
    """
    costs = costs or CostModel()
    return _Placer(order, devices, default, costs, list(fed), fetches, held or {}).placement()


def place_by_rule(
    order: Sequence[Operation],
    devices: Sequence[str],
    default: str,
    costs: CostModel | None = None,
    fed: Iterable[Tensor] = (),
    fetches: Sequence[Tensor] = (),
) -> Placement:
    """The devices of `choose_devices`, explained."""
    costs = costs or CostModel()
    return _Placer(order, devices, default, costs, list(fed), fetches, {}).by_rule()


class _Placer:
    def __init__(
        self,
        order: Sequence[Operation],
        devices: Sequence[str],
        default: str,
        costs: CostModel,
        fed: list[Tensor],
        fetches: Sequence[Tensor],
        held: Mapping[Operation, str],
    ) -> None:
        self._order, self._costs, self._fed, self._fetches = order, costs, fed, fetches
        self._default = default
        self._fetched = set(fetches)
        #: The default one first, so that it is taken where others are as good.
        self._devices = [default, *(d for d in devices if d != default)]
        self._groups = colocated(order)
        self._group_of = {op: g for g in self._groups for op in g.members}
        self._feasible: dict[Group, list[str]] = {}
        self._held: set[Group] = set()
        for group in self._groups:
            found = fitting(self._devices, group.wanted)
            if not found:
                raise nowhere(group.who, group.wanted, devices)
            kept = next((held[op] for op in group.members if op in held), None)
            if kept in found:
                found = [kept]
                self._held.add(group)
            self._feasible[group] = found
        self._state = {g: sum(costs.state_bytes(op) for op in g.members) for g in self._groups}
        self._times: dict[Group, dict[str, float]] = {}
        #: What can be on one device only.
        self._fixed = {group for group, found in self._feasible.items() if len(found) == 1}
        #: Where groups had been that were moved in the end.
        self._moved: Mapping[Group, str] = {}
        self._is_limited = any(costs.machine(d).memory_bytes is not None for d in self._devices)

    def placement(self) -> Placement:
        """The placement by cost."""
        chosen = self._greedy()
        seconds, clock = self._simulate(chosen)
        alone: dict[str, float] = {}
        together: str | None = None
        for device in self._devices:
            other = self._all_on(device)
            if other is None:
                continue
            took, simulated = self._simulate(other)
            alone[device] = took
            if took < seconds:
                seconds, clock, chosen, together = took, simulated, other, device
        chosen = self._improved(chosen, seconds)
        seconds, clock = self._simulate(chosen)
        return self._report(chosen, seconds, clock, alone, together)

    def by_rule(self) -> Placement:
        """Everything on the device that is its first choice."""
        chosen = {g: first_choice(g, found) for g, found in self._feasible.items()}
        seconds, clock = self._simulate(chosen)
        return self._report(chosen, seconds, clock, {}, None)

    # -- the choice --------------------------------------------------------------------------

    def _greedy(self) -> dict[Group, str]:
        clock = Clock(self._costs, self._fed, self._default)
        chosen: dict[Group, str] = {}
        room = self._room()
        # What can be on one device only takes its room there before others choose.
        for group, found in self._feasible.items():
            if len(found) == 1:
                self._take_room(room, group, found[0])
                chosen[group] = found[0]
        for op in self._order:
            group = self._group_of[op]
            if group not in chosen:
                if self._is_everywhere(op, group):
                    # Each that needs it has one of its own: it is where it is used first.
                    clock.run(op, self._default)
                    continue
                times = self._completions(group, op, clock, chosen)
                possible = [d for d in times if room[d] >= self._state[group]]
                if not possible:
                    raise _no_room(group, self._state[group], list(times))
                # Times that differ by the rounding of sums alone are the same.
                best = min(possible, key=lambda device: round(times[device], 12))
                self._times[group] = times
                self._take_room(room, group, best)
                chosen[group] = best
            clock.run(op, chosen[group])
        return self._with_copies(chosen)

    def _completions(
        self, group: Group, op: Operation, clock: Clock, chosen: Mapping[Group, str]
    ) -> dict[str, float]:
        """When the group would be done on each device, as far as its inputs are placed."""
        found: dict[str, float] = {}
        others = [m for m in group.members if m is not op]
        # What comes with it later, from where it is known to be.
        taken = [
            t
            for m in others
            for t in m.inputs
            if not stays_put(t) and self._group_of.get(t.op) in chosen
        ]
        for device in self._feasible[group]:
            seconds = clock.completion(op, device)
            seconds += sum(self._costs.operation_seconds(m, device) for m in others)
            for tensor in taken:
                source = chosen[self._group_of[tensor.op]]
                if source != device:
                    size = self._costs.tensor_bytes(tensor)
                    seconds += self._costs.link(source, device).seconds(size)
            if device != self._default:
                seconds += sum(self._way_home(t, device) for t in op.outputs)
            found[device] = seconds
        return found

    def _is_everywhere(self, op: Operation, group: Group) -> bool:
        return is_copied(op) and len(group.members) == 1 and self._fetched.isdisjoint(op.outputs)

    def _way_home(self, tensor: Tensor, device: str) -> float:
        if tensor not in self._fetched:
            return 0.0
        size = self._costs.tensor_bytes(tensor)
        return self._costs.link(device, self._default).seconds(size)

    def _all_on(self, device: str) -> dict[Group, str] | None:
        """Everything on one device that may be there; None where that has no room."""
        chosen: dict[Group, str] = {}
        for group, found in self._feasible.items():
            chosen[group] = device if device in found else found[0]
        return chosen if self._has_room(chosen) else None

    def _improved(self, chosen: Mapping[Group, str], seconds: float) -> dict[Group, str]:
        movable = {
            group: found
            for group, found in self._feasible.items()
            if len(found) > 1 and not self._is_everywhere(group.members[0], group)
        }
        neighbourhood = Neighbourhood(self._order, self._group_of, list(movable))

        def simulated(trial: Mapping[Group, str]) -> float | None:
            if self._is_limited and not self._has_room(trial):
                return None
            return self._simulate(trial)[0]

        best, self._moved = improved(
            chosen, seconds, movable, neighbourhood, simulated, len(self._order)
        )
        # What each has of its own goes where it is used now.
        return self._with_copies({g: best[g] for g in best if g in movable or g in self._fixed})

    def _has_room(self, chosen: Mapping[Group, str]) -> bool:
        room = self._room()
        for group, device in chosen.items():
            room[device] -= self._state[group]
        return min(room.values()) >= 0

    def _with_copies(self, chosen: dict[Group, str]) -> dict[Group, str]:
        for op in self._order:
            for tensor in op.inputs:
                source = self._group_of.get(tensor.op)
                if source is not None and self._group_of[op] in chosen:
                    chosen.setdefault(source, chosen[self._group_of[op]])
        for group in self._groups:
            chosen.setdefault(group, self._default)
        return chosen

    def _room(self) -> dict[str, float]:
        limits = {d: self._costs.machine(d).memory_bytes for d in self._devices}
        return {d: float("inf") if m is None else float(m) for d, m in limits.items()}

    def _take_room(self, room: dict[str, float], group: Group, device: str) -> None:
        if room[device] < self._state[group]:
            raise _no_room(group, self._state[group], [device])
        room[device] -= self._state[group]

    def _simulate(self, chosen: Mapping[Group, str]) -> tuple[float, Clock]:
        devices = {op: chosen[self._group_of[op]] for op in self._order}
        return simulate(self._order, devices, self._costs, self._fed, self._fetches, self._default)

    # -- the account -------------------------------------------------------------------------

    def _report(
        self,
        chosen: Mapping[Group, str],
        seconds: float,
        clock: Clock,
        alone: Mapping[str, float],
        together: str | None,
    ) -> Placement:
        placed = []
        for op in self._order:
            group = self._group_of[op]
            device = chosen[group]
            placed.append(
                PlacedOperation(
                    op,
                    device,
                    self._why(op, group, device, together),
                    clock.begins[op],
                    clock.ends[op],
                    dict(self._times.get(group, {})),
                )
            )
        return Placement(
            tuple(placed), tuple(self._devices), seconds, tuple(clock.transfers), dict(alone)
        )

    def _why(self, op: Operation, group: Group, device: str, together: str | None) -> str:
        if group in self._held and not group.wanted:
            return "its state is there"
        if group.wanted:
            own = op.device and (group.who is op or op.device == group.wanted)
            return f"pinned to {group.wanted}" if own else f"with {group.who.name}"
        first = group.members[0]
        if len(self._devices) == 1:
            return "the only device"
        if is_copied(op) and len(group.members) == 1:
            return "copied to where it is used"
        if op is not group.who and group.who is not first:
            first = group.who
        if op is not first:
            return f"with {first.name}"
        if group not in self._times:
            is_shared = holds_shared_variable(group)
            return "first by name, for all sessions" if is_shared else "default device"
        if group in self._moved:
            return f"moved from {self._moved[group]}: the step is faster"
        if together is not None:
            return f"all on {device} is faster"
        times = self._times[group]
        if round(times[device] - min(times.values()), 12) > 0:
            return "cheapest that has room"
        same = sum(1 for t in times.values() if round(t - times[device], 12) == 0)
        return "cheapest" if same == 1 else "first of the cheapest"


def _no_room(group: Group, size: float, devices: Sequence[str]) -> ResourceExhaustedError:
    op = group.who
    return ResourceExhaustedError(
        None,
        op,
        f"There is no room for {op.name!r} (at {user_line(op.frames)}) and what is with it: "
        f"{size:,.0f} bytes of variables on any of [ {', '.join(devices)} ]",
    )
