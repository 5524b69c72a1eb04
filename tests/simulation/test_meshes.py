"""Meshes of the primitives: closed, wound outward, and as large as the shape."""

import numpy as np
import pytest

from components.simulation.meshes import Mesh, shape_mesh
from components.simulation.props.objects import volume
from components.simulation.scene import FloatArray, Shape, Vec3

SIZES: dict[Shape, Vec3] = {Shape.SPHERE: (0.4, 0, 0), Shape.BOX: (0.3, 0.2, 0.5), Shape.CYLINDER: (0.3, 0.8, 0)}


@pytest.fixture(params=list(Shape))
def shape(request: pytest.FixtureRequest) -> Shape:
    return Shape(request.param)


@pytest.fixture
def mesh(shape: Shape) -> Mesh:
    return shape_mesh(shape, SIZES[shape])


def corners(mesh: Mesh) -> FloatArray:
    return np.asarray(mesh.vertices[mesh.faces], np.float64)


def face_normals(mesh: Mesh) -> FloatArray:
    a, b, c = corners(mesh).transpose(1, 0, 2)
    return np.asarray(np.cross(b - a, c - a), np.float64)


def welded_faces(mesh: Mesh) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Faces over vertices that are one where they lie at one place."""
    _, inverse = np.unique(mesh.vertices.round(9), axis=0, return_inverse=True)
    return np.asarray(inverse.reshape(-1)[mesh.faces], np.int64)


def test_every_edge_belongs_to_two_faces_that_run_it_in_opposite_directions(mesh: Mesh) -> None:
    faces = welded_faces(mesh)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(edge) for edge in edges} == {tuple(edge) for edge in edges[:, ::-1]}


def test_the_euler_characteristic_is_that_of_a_sphere(mesh: Mesh) -> None:
    faces = welded_faces(mesh)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert len(np.unique(faces)) - len(np.unique(edges, axis=0)) + len(faces) == 2


def test_faces_and_normals_point_outward(mesh: Mesh) -> None:
    across = face_normals(mesh)
    assert (across * corners(mesh).mean(axis=1)).sum(axis=1).min() > 0
    assert (across[:, None] * mesh.normals[mesh.faces]).sum(axis=2).min() > 0
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-12)


def test_the_volume_is_near_that_of_the_shape(shape: Shape, mesh: Mesh) -> None:
    a, b, c = corners(mesh).transpose(1, 0, 2)
    enclosed = float((a * np.cross(b, c)).sum() / 6)
    assert enclosed == pytest.approx(volume(shape, SIZES[shape]), rel=2e-3)


def test_the_surface_of_a_ball_has_the_right_radius_in_the_mean() -> None:
    mesh = shape_mesh(Shape.SPHERE, (1.0, 0.0, 0.0))
    rng = np.random.default_rng(0)
    weights = rng.dirichlet((1.0, 1.0, 1.0), size=(len(mesh.faces), 16))
    radii = np.linalg.norm(weights @ corners(mesh), axis=2).mean(axis=1)
    area = np.linalg.norm(face_normals(mesh), axis=1)
    assert np.average(radii, weights=area) == pytest.approx(1.0, abs=2e-5)
    assert np.abs(np.linalg.norm(mesh.vertices, axis=1) - 1.0).max() < 4e-3


def test_a_box_has_sharp_edges_and_its_half_extents() -> None:
    mesh = shape_mesh(Shape.BOX, SIZES[Shape.BOX])
    assert len(mesh.vertices) == 24
    np.testing.assert_allclose(mesh.vertices.max(axis=0), SIZES[Shape.BOX])
    assert set(np.abs(mesh.normals).sum(axis=1)) == {1.0}
